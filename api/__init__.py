"""The front desk: REST in front of the request topic."""
