"""The community pharmacist: names, products, interactions."""
