"""SQS on moto's queues."""
