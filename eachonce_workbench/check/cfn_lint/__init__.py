"""The rules as cfn-lint takes them: `cfn-lint template.yaml --append-rules eachonce_workbench/check/cfn_lint`."""
