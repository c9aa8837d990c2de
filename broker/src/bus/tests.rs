//! The contract of a bus, kept by both.
