"""DynamoDB on moto's tables."""
