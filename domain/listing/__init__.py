"""Lists that people page through, narrow, sort and take with them: one mechanism for all."""
