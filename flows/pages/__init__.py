"""The pages: questions asked, drawn and written."""
