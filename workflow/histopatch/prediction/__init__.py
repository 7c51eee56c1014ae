"""New images through an exported model, as a workflow: what is asked for, its shards, and the tables."""
