//! Where connections come from: TCP, and WebSocket for a broker that stands alone.

pub(crate) mod tcp;
pub(crate) mod ws;
