"""Reading FAQ files: any common format in, entries and a report of every row that could not be taken out."""
