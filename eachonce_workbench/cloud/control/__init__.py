"""The control plane's reading calls: what the services say of what the template describes."""
