//! Where connections come from: TCP, TLS, and WebSocket for a broker that stands alone.

pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod ws;
