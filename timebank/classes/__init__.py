"""Classes for children: courses, lessons, bookings, and class minutes."""
