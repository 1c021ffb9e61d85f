//! The few frames that a port scan needs: Ethernet, ARP (RFC 826), IPv4 (RFC 791), TCP (RFC 9293).

use std::net::Ipv4Addr;

/// The flags of a TCP segment that matter here.
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const ACK: u8 = 0x10;

const ETHERNET_BYTES: usize = 14;
const IPV4_BYTES: usize = 20;
const TCP_BYTES: usize = 20;
const TYPE_IPV4: [u8; 2] = [0x08, 0x00];
const TYPE_ARP: [u8; 2] = [0x08, 0x06];
const PROTOCOL_TCP: u8 = 6;

/// One end of a frame's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Station {
    pub(crate) mac: [u8; 6],
    pub(crate) address: Ipv4Addr,
}

/// What matters of one TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) source_port: u16,
    pub(crate) target_port: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: u32,
    pub(crate) flags: u8,
}

/// Writes the question where `target` is; whoever is asked remembers where `source` is.
pub(crate) fn write_arp(source: Station, target: Station) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ETHERNET_BYTES + 28);
    frame.extend(target.mac);
    frame.extend(source.mac);
    frame.extend(TYPE_ARP);
    // Ethernet and IPv4, with addresses of 6 and 4 bytes; a request.
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(source.mac);
    frame.extend(source.address.octets());
    frame.extend([0; 6]);
    frame.extend(target.address.octets());
    frame
}

/// Writes a segment without data as a frame from `source` to `target`.
pub(crate) fn write(source: Station, target: Station, segment: &Segment) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES);
    frame.extend(target.mac);
    frame.extend(source.mac);
    frame.extend(TYPE_IPV4);
    // Version and header length, no differentiated service, total length; not to be fragmented, 64 hops.
    let mut header = [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, PROTOCOL_TCP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[12..16].copy_from_slice(&source.address.octets());
    header[16..20].copy_from_slice(&target.address.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    frame.extend(header);
    let mut tcp = [0; TCP_BYTES];
    tcp[0..2].copy_from_slice(&segment.source_port.to_be_bytes());
    tcp[2..4].copy_from_slice(&segment.target_port.to_be_bytes());
    tcp[4..8].copy_from_slice(&segment.sequence.to_be_bytes());
    tcp[8..12].copy_from_slice(&segment.acknowledged.to_be_bytes());
    tcp[12] = 5 << 4;
    tcp[13] = segment.flags;
    tcp[14..16].copy_from_slice(&1024_u16.to_be_bytes());
    let mut summed = Vec::with_capacity(12 + TCP_BYTES);
    summed.extend(source.address.octets());
    summed.extend(target.address.octets());
    summed.extend([0, PROTOCOL_TCP, 0, 20]);
    summed.extend(tcp);
    let sum = checksum(&summed);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    frame.extend(tcp);
    frame
}

/// Reads a TCP segment that went from `source` to the address of `target`; none when the frame is another.
pub(crate) fn read(frame: &[u8], source: Station, target: Station) -> Option<Segment> {
    if frame.get(6..12)? != source.mac || frame.get(12..14)? != TYPE_IPV4 {
        return None;
    }
    let packet = frame.get(ETHERNET_BYTES..)?;
    let header_bytes = usize::from(packet.first()? & 0x0f) * 4;
    let is_whole = packet.first()? >> 4 == 4 && header_bytes >= IPV4_BYTES;
    let ends = (packet.get(12..16)?, packet.get(16..20)?);
    if !is_whole
        || packet.get(9) != Some(&PROTOCOL_TCP)
        || ends.0 != source.address.octets()
        || ends.1 != target.address.octets()
    {
        return None;
    }
    let tcp: &[u8; TCP_BYTES] = packet.get(header_bytes..header_bytes + TCP_BYTES)?.try_into().ok()?;
    Some(Segment {
        source_port: u16::from_be_bytes([tcp[0], tcp[1]]),
        target_port: u16::from_be_bytes([tcp[2], tcp[3]]),
        sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
        acknowledged: u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]),
        flags: tcp[13],
    })
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Station = Station { mac: [2, 0, 0, 0, 0, 1], address: Ipv4Addr::new(203, 0, 113, 77) };
    const THERE: Station = Station { mac: [2, 0, 0, 0, 0, 2], address: Ipv4Addr::new(169, 254, 169, 15) };
    const SEGMENT: Segment =
        Segment { source_port: 40_000, target_port: 22, sequence: 0x0102_0304, acknowledged: 7, flags: SYN };

    #[test]
    fn checksum_is_that_of_a_known_header() {
        // The example of RFC 1071, section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn written_frame_is_read_back_and_its_checksums_are_whole() {
        let frame = write(HERE, THERE, &SEGMENT);
        assert_eq!(read(&frame, HERE, THERE), Some(SEGMENT));
        assert_eq!(read(&frame, THERE, HERE), None);
        assert_eq!(checksum(&frame[14..34]), 0);
        let mut summed = frame[26..34].to_vec();
        summed.extend([0, 6, 0, 20]);
        summed.extend(&frame[34..]);
        assert_eq!(checksum(&summed), 0);
    }

    #[test]
    fn question_for_an_address_has_the_form_of_the_standard() {
        let frame = write_arp(HERE, THERE);
        assert_eq!(frame.len(), 42);
        assert_eq!(frame[12..22], [8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        assert_eq!(frame[28..32], HERE.address.octets());
        assert_eq!(frame[38..], THERE.address.octets());
        assert_eq!(read(&frame, HERE, THERE), None);
    }

    #[test]
    fn frames_that_are_cut_or_of_another_kind_are_passed_over() {
        let frame = write(HERE, THERE, &SEGMENT);
        for length in 0..frame.len() {
            assert_eq!(read(&frame[..length], HERE, THERE), None, "{length}");
        }
        let mut udp = frame.clone();
        udp[23] = 17;
        assert_eq!(read(&udp, HERE, THERE), None);
    }

    proptest! {
        #[test]
        fn any_frame_is_survived(bytes: Vec<u8>) {
            read(&bytes, HERE, THERE);
        }
    }
}
