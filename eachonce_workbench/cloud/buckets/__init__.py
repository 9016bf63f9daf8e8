"""S3: buckets, and whom they tell of a change."""
