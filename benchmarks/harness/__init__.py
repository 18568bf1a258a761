"""What benchmarks share: repositories of any size, processes that are measured, bare peers, the report."""
