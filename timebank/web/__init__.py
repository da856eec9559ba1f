"""What every page uses: templates, forms, preferences, pictures, static files."""
