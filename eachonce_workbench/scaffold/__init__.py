"""What `eachonce new` writes: a whole bundle, and what is added to one."""
