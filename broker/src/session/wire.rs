//! Bytes to packets and back. The only place that knows the codec.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BytesMut;
use rmqtt_codec::error::DecodeError;
use rmqtt_codec::types::{Publish as CodecPublish, QoS as CodecQos};
use rmqtt_codec::v5::{PublishProperties, UserProperties};
use rmqtt_codec::version::{ProtocolVersion, VersionCodec};
use rmqtt_codec::{v3, v5};
use tokio_util::codec::{Decoder, Encoder};

use super::packet::{
    ConnAck, Connect, Granted, Handling, Incoming, Options, Outgoing, Publication, Subscribe, Will,
};
use crate::gate::{Properties, Qos, Version};
use crate::reason::Reason;

enum Codec {
    V3(v3::Codec),
    V5(v5::Codec),
}

/// One connection's codec.
pub(crate) struct Wire {
    codec: Codec,
}

/// What the first bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Not enough of them yet.
    Unknown,
    /// A CONNECT of this version.
    Mqtt(Version),
    /// MQTT of a version nobody here speaks.
    OtherMqtt,
    /// Anything else.
    Foreign,
}

/// What the first bytes of a connection are.
pub(crate) fn opening(input: &mut BytesMut) -> Opening {
    match VersionCodec.decode(input) {
        Ok(Some(ProtocolVersion::MQTT3)) => Opening::Mqtt(Version::V3),
        Ok(Some(ProtocolVersion::MQTT5)) => Opening::Mqtt(Version::V5),
        Ok(None) => Opening::Unknown,
        Err(DecodeError::InvalidProtocol) if input.windows(6).any(|w| w == b"\0\x04MQTT") => {
            Opening::OtherMqtt
        }
        Err(_) => Opening::Foreign,
    }
}

/// The codec counts what follows the fixed header; limits count whole packets.
fn remaining_max(packet_bytes: usize) -> u32 {
    let header = match packet_bytes {
        0..=129 => 2,
        130..=16_386 => 3,
        16_387..=2_097_155 => 4,
        _ => 5,
    };
    u32::try_from(packet_bytes.saturating_sub(header).max(1)).unwrap_or(u32::MAX)
}

impl Wire {
    /// A codec that takes packets up to so many bytes.
    pub fn new(version: Version, packet_bytes_max: usize) -> Wire {
        let max = remaining_max(packet_bytes_max);
        Wire {
            codec: match version {
                Version::V3 => Codec::V3(v3::Codec::new(max)),
                Version::V5 => Codec::V5(v5::Codec::new(max, 0)),
            },
        }
    }

    /// Which MQTT it speaks.
    pub fn version(&self) -> Version {
        match self.codec {
            Codec::V3(_) => Version::V3,
            Codec::V5(_) => Version::V5,
        }
    }

    /// After CONNECT: larger packets come in, and the client says what it takes.
    pub fn admit(&mut self, packet_bytes_max: usize, client_max: Option<u32>) {
        let max = remaining_max(packet_bytes_max);
        match &mut self.codec {
            Codec::V3(codec) => codec.set_max_size(max),
            Codec::V5(codec) => {
                codec.set_max_inbound_size(max);
                codec.set_max_outbound_size(client_max.unwrap_or(0));
            }
        }
    }

    /// The next whole packet, if it is there.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Reason> {
        let packet = match &mut self.codec {
            Codec::V3(codec) => codec.decode(input).map(|p| p.map(|(p, _)| from_v3(p))),
            Codec::V5(codec) => codec.decode(input).map(|p| p.map(|(p, _)| from_v5(p))),
        };
        packet.map_err(|cause| reason(&cause))
    }

    /// Writes a packet. What the client's maximum forbids is left out (MQTT 5 §3.1.2.11.4).
    pub fn encode(&mut self, packet: Outgoing, output: &mut BytesMut) {
        let written = match &mut self.codec {
            Codec::V3(codec) => match to_v3(packet) {
                Some(packet) => codec.encode(packet, output),
                None => Ok(()),
            },
            Codec::V5(codec) => match to_v5(packet) {
                Some(packet) => codec.encode(packet, output),
                None => Ok(()),
            },
        };
        if let Err(cause) = written {
            tracing::debug!(?cause, "a packet was left out");
        }
    }
}

fn reason(cause: &DecodeError) -> Reason {
    match cause {
        DecodeError::MaxSizeExceeded { .. } => Reason::TooLarge,
        DecodeError::InvalidClientId => Reason::BadClientId,
        DecodeError::UnsupportedProtocolLevel => Reason::UnsupportedVersion,
        DecodeError::InvalidTopicFilter | DecodeError::InvalidProtocol => Reason::ProtocolError,
        DecodeError::InvalidTopicName => Reason::BadTopic,
        _ => Reason::Malformed,
    }
}

fn qos(qos: CodecQos) -> Qos {
    match qos {
        CodecQos::AtMostOnce => Qos::AtMostOnce,
        CodecQos::AtLeastOnce => Qos::AtLeastOnce,
        CodecQos::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn publication(publish: CodecPublish) -> Incoming {
    let properties = publish.properties.unwrap_or_default();
    Incoming::Publish(Box::new(Publication {
        dup: publish.dup,
        qos: qos(publish.qos),
        retain: publish.retain,
        topic: publish.topic,
        id: publish.packet_id.map(NonZeroU16::get),
        payload: publish.payload,
        alias: properties.topic_alias.map(NonZeroU16::get),
        has_subscription_id: !properties.subscription_ids.is_empty(),
        properties: from_properties(properties),
    }))
}

fn from_properties(properties: PublishProperties) -> Properties {
    Properties {
        expiry_s: properties.message_expiry_interval.map(NonZeroU32::get),
        utf8: properties.is_utf8_payload,
        content_type: properties.content_type,
        response_topic: properties.response_topic,
        correlation: properties.correlation_data,
        user: properties.user_properties,
    }
}

fn from_v3(packet: v3::Packet) -> Incoming {
    match packet {
        v3::Packet::Connect(connect) => Incoming::Connect(Box::new(connect_v3(*connect))),
        v3::Packet::Publish(publish) => publication(*publish),
        v3::Packet::PublishAck { packet_id } => Incoming::PubAck(packet_id.get()),
        v3::Packet::PublishReceived { packet_id } => Incoming::PubRec(packet_id.get(), true),
        v3::Packet::PublishRelease { packet_id } => Incoming::PubRel(packet_id.get()),
        v3::Packet::PublishComplete { packet_id } => Incoming::PubComp(packet_id.get()),
        v3::Packet::Subscribe { packet_id, topic_filters } => {
            let options = |max| Options {
                qos: qos(max),
                no_local: false,
                retain_as_published: false,
                retained: Handling::Always,
            };
            Incoming::Subscribe(Box::new(Subscribe {
                id: packet_id.get(),
                filters: topic_filters.into_iter().map(|(f, max)| (f, options(max))).collect(),
                subscription_id: None,
                user: Vec::new(),
            }))
        }
        v3::Packet::Unsubscribe { packet_id, topic_filters } => {
            Incoming::Unsubscribe { id: packet_id.get(), filters: topic_filters }
        }
        v3::Packet::PingRequest => Incoming::Ping,
        v3::Packet::Disconnect => Incoming::Disconnect { with_will: false, expiry_s: None },
        _ => Incoming::Unexpected,
    }
}

fn connect_v3(connect: v3::Connect) -> Connect {
    Connect {
        client_id: connect.client_id,
        clean: connect.clean_session,
        keep_alive_s: connect.keep_alive,
        expiry_s: connect.clean_session.then_some(0),
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| Will {
            topic: will.topic,
            payload: will.message,
            qos: qos(will.qos),
            retain: will.retain,
            properties: Properties::default(),
            delay_s: 0,
        }),
        receive_max: u16::MAX,
        packet_max: None,
        alias_max: 0,
        enhanced: false,
    }
}

fn from_v5(packet: v5::Packet) -> Incoming {
    match packet {
        v5::Packet::Connect(connect) => Incoming::Connect(Box::new(connect_v5(*connect))),
        v5::Packet::Publish(publish) => publication(*publish),
        v5::Packet::PublishAck(ack) => Incoming::PubAck(ack.packet_id.get()),
        v5::Packet::PublishReceived(ack) => {
            Incoming::PubRec(ack.packet_id.get(), u8::from(ack.reason_code) < 0x80)
        }
        v5::Packet::PublishRelease(ack) => Incoming::PubRel(ack.packet_id.get()),
        v5::Packet::PublishComplete(ack) => Incoming::PubComp(ack.packet_id.get()),
        v5::Packet::Subscribe(subscribe) => Incoming::Subscribe(Box::new(Subscribe {
            id: subscribe.packet_id.get(),
            filters: subscribe.topic_filters.into_iter().map(|(f, o)| (f, options(o))).collect(),
            subscription_id: subscribe.id.map(NonZeroU32::get),
            user: subscribe.user_properties,
        })),
        v5::Packet::Unsubscribe(unsubscribe) => Incoming::Unsubscribe {
            id: unsubscribe.packet_id.get(),
            filters: unsubscribe.topic_filters,
        },
        v5::Packet::PingRequest => Incoming::Ping,
        v5::Packet::Disconnect(bye) => Incoming::Disconnect {
            with_will: bye.reason_code != v5::DisconnectReasonCode::NormalDisconnection,
            expiry_s: bye.session_expiry_interval_secs,
        },
        _ => Incoming::Unexpected,
    }
}

fn options(options: v5::SubscriptionOptions) -> Options {
    Options {
        qos: qos(options.qos),
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        retained: match options.retain_handling {
            v5::RetainHandling::AtSubscribe => Handling::Always,
            v5::RetainHandling::AtSubscribeNew => Handling::IfNew,
            v5::RetainHandling::NoAtSubscribe => Handling::Never,
        },
    }
}

fn connect_v5(connect: v5::Connect) -> Connect {
    Connect {
        client_id: connect.client_id,
        clean: connect.clean_start,
        keep_alive_s: connect.keep_alive,
        expiry_s: Some(connect.session_expiry_interval_secs),
        username: connect.username,
        password: connect.password,
        will: connect.last_will.map(|will| Will {
            topic: will.topic,
            payload: will.message,
            qos: qos(will.qos),
            retain: will.retain,
            delay_s: will.will_delay_interval_sec.unwrap_or(0),
            properties: Properties {
                expiry_s: will.message_expiry_interval.map(NonZeroU32::get),
                utf8: will.is_utf8_payload.unwrap_or(false),
                content_type: will.content_type,
                response_topic: will.response_topic,
                correlation: will.correlation_data,
                user: will.user_properties,
            },
        }),
        receive_max: connect.receive_max.map_or(u16::MAX, NonZeroU16::get),
        packet_max: connect.max_packet_size.map(NonZeroU32::get),
        alias_max: connect.topic_alias_max,
        enhanced: connect.auth_method.is_some(),
    }
}

fn to_v3(packet: Outgoing) -> Option<v3::Packet> {
    Some(match packet {
        Outgoing::ConnAck(ack) => {
            let code = ack.refused.map_or(0, |(reason, _)| reason.v3());
            v3::Packet::ConnectAck(v3::ConnectAck {
                return_code: v3::ConnectAckReason::try_from(code).ok()?,
                session_present: ack.session_present,
            })
        }
        // 3.1.1 cannot say no: whoever refuses closes instead.
        Outgoing::PubAck(id, reason, _) if !reason.is_failure() => {
            v3::Packet::PublishAck { packet_id: NonZeroU16::new(id)? }
        }
        Outgoing::PubRec(id, reason, _) if !reason.is_failure() => {
            v3::Packet::PublishReceived { packet_id: NonZeroU16::new(id)? }
        }
        Outgoing::PubRel(id, _) => v3::Packet::PublishRelease { packet_id: NonZeroU16::new(id)? },
        Outgoing::PubComp(id, _) => v3::Packet::PublishComplete { packet_id: NonZeroU16::new(id)? },
        Outgoing::SubAck(id, granted) => v3::Packet::SubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            status: granted.iter().map(status_v3).collect(),
        },
        Outgoing::UnsubAck(id, _) => {
            v3::Packet::UnsubscribeAck { packet_id: NonZeroU16::new(id)? }
        }
        Outgoing::Pong => v3::Packet::PingResponse,
        Outgoing::PubAck(..) | Outgoing::PubRec(..) | Outgoing::Disconnect(_) => return None,
    })
}

fn status_v3(granted: &Granted) -> v3::SubscribeReturnCode {
    match granted {
        Ok(Qos::AtMostOnce) => v3::SubscribeReturnCode::Success(CodecQos::AtMostOnce),
        Ok(Qos::AtLeastOnce) => v3::SubscribeReturnCode::Success(CodecQos::AtLeastOnce),
        Ok(Qos::ExactlyOnce) => v3::SubscribeReturnCode::Success(CodecQos::ExactlyOnce),
        Err(_) => v3::SubscribeReturnCode::Failure,
    }
}

/// A reason as one of the codec's enums; what a packet cannot say becomes "unspecified".
fn say<T: TryFrom<u8>>(reason: Reason, unspecified: T) -> T {
    T::try_from(reason.code()).unwrap_or(unspecified)
}

fn ack(id: u16, reason: Reason, text: Option<String>) -> Option<v5::PublishAck> {
    // PUBACK has no "packet too large" (§3.4.2.1): it is a quota of the implementation.
    let reason = if reason == Reason::TooLarge { Reason::QuotaExceeded } else { reason };
    Some(v5::PublishAck {
        packet_id: NonZeroU16::new(id)?,
        reason_code: say(reason, v5::PublishAckReason::UnspecifiedError),
        properties: UserProperties::new(),
        reason_string: text.map(Into::into),
    })
}

fn ack2(id: u16, reason: Reason) -> Option<v5::PublishAck2> {
    Some(v5::PublishAck2 {
        packet_id: NonZeroU16::new(id)?,
        reason_code: say(reason, v5::PublishAck2Reason::PacketIdNotFound),
        ..Default::default()
    })
}

fn to_v5(packet: Outgoing) -> Option<v5::Packet> {
    Some(match packet {
        Outgoing::ConnAck(ack) => v5::Packet::ConnectAck(Box::new(connack_v5(*ack))),
        Outgoing::PubAck(id, reason, text) => v5::Packet::PublishAck(ack(id, reason, text)?),
        Outgoing::PubRec(id, reason, text) => v5::Packet::PublishReceived(ack(id, reason, text)?),
        Outgoing::PubRel(id, reason) => v5::Packet::PublishRelease(ack2(id, reason)?),
        Outgoing::PubComp(id, reason) => v5::Packet::PublishComplete(ack2(id, reason)?),
        Outgoing::SubAck(id, granted) => v5::Packet::SubscribeAck(v5::SubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            properties: UserProperties::new(),
            reason_string: None,
            status: granted.iter().map(status_v5).collect(),
        }),
        Outgoing::UnsubAck(id, reasons) => v5::Packet::UnsubscribeAck(v5::UnsubscribeAck {
            packet_id: NonZeroU16::new(id)?,
            properties: UserProperties::new(),
            reason_string: None,
            status: reasons
                .into_iter()
                .map(|reason| say(reason, v5::UnsubscribeAckReason::UnspecifiedError))
                .collect(),
        }),
        Outgoing::Pong => v5::Packet::PingResponse,
        Outgoing::Disconnect(reason) => v5::Packet::Disconnect(v5::Disconnect::new(say(
            reason,
            v5::DisconnectReasonCode::UnspecifiedError,
        ))),
    })
}

fn status_v5(granted: &Granted) -> v5::SubscribeAckReason {
    match granted {
        Ok(Qos::AtMostOnce) => v5::SubscribeAckReason::GrantedQos0,
        Ok(Qos::AtLeastOnce) => v5::SubscribeAckReason::GrantedQos1,
        Ok(Qos::ExactlyOnce) => v5::SubscribeAckReason::GrantedQos2,
        Err(reason) => say(*reason, v5::SubscribeAckReason::UnspecifiedError),
    }
}

fn connack_v5(ack: ConnAck) -> v5::ConnectAck {
    if let Some((reason, text)) = ack.refused {
        return v5::ConnectAck {
            reason_code: say(reason, v5::ConnectAckReason::UnspecifiedError),
            reason_string: text.map(Into::into),
            ..Default::default()
        };
    }
    v5::ConnectAck {
        session_present: ack.session_present,
        session_expiry_interval_secs: ack.expiry_s,
        receive_max: NonZeroU16::new(ack.receive_max).unwrap_or(NonZeroU16::MAX),
        max_packet_size: Some(ack.packet_max),
        assigned_client_id: ack.assigned_id,
        topic_alias_max: ack.alias_max,
        shared_subscription_available: false,
        server_keepalive_sec: ack.keep_alive_s,
        ..Default::default()
    }
}
