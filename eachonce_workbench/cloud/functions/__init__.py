"""Lambda's side: processes of AWS's own runtime client, and the runtime API that they talk to."""
