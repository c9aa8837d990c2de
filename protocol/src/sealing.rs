//! The formats `hearth/v1` (sealing.md).
