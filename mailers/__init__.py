"""Everything about mail: from a queued letter to the reply of a mail server."""
