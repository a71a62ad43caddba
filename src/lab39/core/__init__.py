"""The core: records, findings, the lab. It knows no web, no database and no solution."""
