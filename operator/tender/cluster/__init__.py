"""The API server as the rest of Tender sees it: access, client, list-watch cache, events, logs and health."""
