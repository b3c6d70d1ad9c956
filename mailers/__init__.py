"""All about mail: from a queued letter's name to what a mail server said about its bytes."""
