"""The mood of short texts, over HTTP."""
