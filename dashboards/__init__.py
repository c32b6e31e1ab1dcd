"""What people see: charts, pages, and files for the office."""
