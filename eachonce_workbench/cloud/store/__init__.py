"""moto's tables and queues, in this process."""
