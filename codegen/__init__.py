"""The generator: from the facts of Stripe's API and our documentation to models, parameters, services and stubs."""
