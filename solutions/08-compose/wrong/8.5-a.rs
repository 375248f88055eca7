// mistake: whatever is in the file counts
of(service, &SERVICE)
