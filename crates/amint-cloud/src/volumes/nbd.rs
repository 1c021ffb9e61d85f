//! Serves a volume by the protocol of network block devices
//! (<https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>): fixed newstyle negotiation, simple replies.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::net::UnixStream;

use super::Disk;

const GREETING: &[u8; 8] = b"NBDMAGIC";
const OPTION_MAGIC: &[u8; 8] = b"IHAVEOPT";
const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
const REQUEST_MAGIC: u32 = 0x2560_9513;
const REPLY_MAGIC: u32 = 0x6744_6698;

const FIXED_NEWSTYLE: u16 = 1;
const NO_ZEROES: u16 = 2;

const OPTION_EXPORT_NAME: u32 = 1;
const OPTION_ABORT: u32 = 2;
const OPTION_INFO: u32 = 6;
const OPTION_GO: u32 = 7;
const REPLY_ACK: u32 = 1;
const REPLY_INFO: u32 = 3;
const REPLY_UNSUPPORTED: u32 = (1 << 31) + 1;
const INFO_EXPORT: u16 = 0;

/// Has flags; flush, forced unit access, trim and zeroing are understood.
const EXPORT_FLAGS: u16 = 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6;
const FLAG_FORCED: u16 = 1;

/// The longest option that is taken, and the longest request: what the protocol says that all servers take.
const OPTION_BYTES_MAX: u32 = 64 << 10;
const REQUEST_BYTES_MAX: u32 = 32 << 20;

/// Serves one connection to its end.
///
/// # Errors
/// Fails when the other side hangs up in the middle, or does not speak the protocol.
pub(crate) fn serve(disk: &Disk, stream: &UnixStream) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(128 << 10, stream);
    let mut writer = BufWriter::with_capacity(128 << 10, stream);
    if negotiate(disk, &mut reader, &mut writer)? {
        let served = transmit(disk, &mut reader, &mut writer);
        // A machine that lost its power has flushed nothing; what a disk holds by then stays, as it would on EBS.
        disk.flush()?;
        served?;
    }
    Ok(())
}

fn wrong(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn number<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Agrees on the export; false when the client has had enough.
fn negotiate(disk: &Disk, reader: &mut impl Read, writer: &mut impl Write) -> io::Result<bool> {
    writer.write_all(GREETING)?;
    writer.write_all(OPTION_MAGIC)?;
    writer.write_all(&(FIXED_NEWSTYLE | NO_ZEROES).to_be_bytes())?;
    writer.flush()?;
    let flags = u32::from_be_bytes(number(reader)?);
    loop {
        if &number::<8>(reader)? != OPTION_MAGIC {
            return Err(wrong("no option of NBD"));
        }
        let option = u32::from_be_bytes(number(reader)?);
        let length = u32::from_be_bytes(number(reader)?);
        if length > OPTION_BYTES_MAX {
            return Err(wrong("an option of NBD is too long"));
        }
        let mut data = vec![0; length as usize];
        reader.read_exact(&mut data)?;
        match option {
            OPTION_EXPORT_NAME => {
                writer.write_all(&disk.bytes().to_be_bytes())?;
                writer.write_all(&EXPORT_FLAGS.to_be_bytes())?;
                if flags & u32::from(NO_ZEROES) == 0 {
                    writer.write_all(&[0; 124])?;
                }
                writer.flush()?;
                return Ok(true);
            }
            OPTION_ABORT => {
                reply(writer, option, REPLY_ACK, &[])?;
                return Ok(false);
            }
            OPTION_INFO | OPTION_GO => {
                let info = [
                    &INFO_EXPORT.to_be_bytes()[..],
                    &disk.bytes().to_be_bytes(),
                    &EXPORT_FLAGS.to_be_bytes(),
                ];
                reply(writer, option, REPLY_INFO, &info.concat())?;
                reply(writer, option, REPLY_ACK, &[])?;
                if option == OPTION_GO {
                    return Ok(true);
                }
            }
            _ => reply(writer, option, REPLY_UNSUPPORTED, &[])?,
        }
    }
}

fn reply(writer: &mut impl Write, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
    writer.write_all(&OPTION_REPLY_MAGIC.to_be_bytes())?;
    writer.write_all(&option.to_be_bytes())?;
    writer.write_all(&kind.to_be_bytes())?;
    writer.write_all(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    writer.write_all(data)?;
    writer.flush()
}

fn transmit(disk: &Disk, reader: &mut BufReader<impl Read>, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        if u32::from_be_bytes(number(reader)?) != REQUEST_MAGIC {
            return Err(wrong("no request of NBD"));
        }
        let flags = u16::from_be_bytes(number(reader)?);
        let kind = u16::from_be_bytes(number(reader)?);
        let cookie = number::<8>(reader)?;
        let offset = u64::from_be_bytes(number(reader)?);
        let length = u32::from_be_bytes(number(reader)?);
        if kind <= 1 {
            if length > REQUEST_BYTES_MAX {
                return Err(wrong("a request of NBD is too long"));
            }
            buffer.resize(length as usize, 0);
        }
        let outcome = match kind {
            0 => disk.read(offset, &mut buffer),
            1 => {
                reader.read_exact(&mut buffer)?;
                disk.write(offset, &buffer)
            }
            2 => return Ok(()),
            3 => disk.flush(),
            4 | 6 => disk.zero(offset, u64::from(length)),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        };
        let is_write = matches!(kind, 1 | 4 | 6);
        let outcome = match outcome {
            Ok(()) if is_write && flags & FLAG_FORCED != 0 => disk.flush(),
            outcome => outcome,
        };
        writer.write_all(&REPLY_MAGIC.to_be_bytes())?;
        writer.write_all(&outcome.as_ref().err().map_or(0, code).to_be_bytes())?;
        writer.write_all(&cookie)?;
        if kind == 0 && outcome.is_ok() {
            writer.write_all(&buffer)?;
        }
        // Answers to requests that are here already go out together.
        if reader.buffer().is_empty() {
            writer.flush()?;
        }
    }
}

/// Returns the protocol's number of an error.
fn code(error: &io::Error) -> u32 {
    match error.kind() {
        io::ErrorKind::InvalidInput => 22,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => 28,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};

    use amint_store::Store;

    use super::*;
    use crate::volumes::Volumes;

    /// A client of a volume of 1 MiB.
    struct Client {
        stream: UnixStream,
        server: JoinHandle<io::Result<()>>,
        _folder: tempfile::TempDir,
    }

    impl Client {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("store")).unwrap();
            let volumes = Volumes::new(folder.path().join("volumes"));
            let disk = volumes.open(&store, "vol-00000000", 1 << 20).unwrap();
            let (stream, theirs) = UnixStream::pair().unwrap();
            let server = thread::spawn(move || serve(&Arc::clone(&disk), &theirs));
            Self { stream, server, _folder: folder }
        }

        fn send(&mut self, parts: &[&[u8]]) {
            self.stream.write_all(&parts.concat()).unwrap();
        }

        fn take<const N: usize>(&mut self) -> [u8; N] {
            number(&mut self.stream).unwrap()
        }

        fn option(&mut self, option: u32, data: &[u8]) {
            let length = u32::try_from(data.len()).unwrap();
            self.send(&[OPTION_MAGIC, &option.to_be_bytes(), &length.to_be_bytes(), data]);
        }

        /// Greets, and takes the export by its empty name.
        fn negotiated() -> Self {
            let mut client = Self::new();
            assert_eq!(client.take::<18>(), *b"NBDMAGICIHAVEOPT\0\x03");
            client.send(&[&3_u32.to_be_bytes()]);
            // Structured replies are not spoken.
            client.option(8, &[]);
            assert_eq!(client.take::<20>()[12..16], REPLY_UNSUPPORTED.to_be_bytes());
            client.option(OPTION_EXPORT_NAME, &[]);
            assert_eq!(u64::from_be_bytes(client.take()), 1 << 20);
            assert_eq!(u16::from_be_bytes(client.take()), EXPORT_FLAGS);
            client
        }

        /// Sends a request and returns the number of its error.
        fn ask(&mut self, kind: u16, offset: u64, length: u32, data: &[u8]) -> u32 {
            let head = [&REQUEST_MAGIC.to_be_bytes()[..], &0_u16.to_be_bytes(), &kind.to_be_bytes()].concat();
            self.send(&[&head, b"a cookie", &offset.to_be_bytes(), &length.to_be_bytes(), data]);
            assert_eq!(u32::from_be_bytes(self.take()), REPLY_MAGIC);
            let error = u32::from_be_bytes(self.take());
            assert_eq!(&self.take::<8>(), b"a cookie");
            error
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_zeroed_is_zero() {
        let mut client = Client::negotiated();
        assert_eq!(client.ask(1, 5000, 6, b"amints"), 0);
        assert_eq!(client.ask(0, 4999, 8, &[]), 0);
        assert_eq!(&client.take::<8>(), b"\0amints\0");
        assert_eq!(client.ask(6, 0, 8192, &[]), 0);
        assert_eq!(client.ask(0, 5000, 6, &[]), 0);
        assert_eq!(client.take::<6>(), [0; 6]);
        assert_eq!(client.ask(3, 0, 0, &[]), 0);
        assert_eq!(client.ask(9, 0, 0, &[]), 22, "no such request");
        assert_eq!(client.ask(0, 1 << 20, 1, &[]), 22, "beyond the end");
        assert_eq!(client.ask(1, (1 << 20) - 1, 2, b"xy"), 22, "beyond the end");
        assert_eq!(client.ask(4, u64::MAX, 2, &[]), 22, "beyond all ends");
        // The connection is whole after refusals.
        assert_eq!(client.ask(0, 0, 1, &[]), 0);
    }

    #[test]
    fn requests_without_bounds_end_the_connection() {
        let mut client = Client::negotiated();
        let head = [&REQUEST_MAGIC.to_be_bytes()[..], &[0, 0, 0, 0], b"a cookie", &[0; 8]].concat();
        client.send(&[&head, &u32::MAX.to_be_bytes()]);
        assert!(client.server.join().unwrap().is_err());
        let mut client = Client::new();
        client.send(&[&[0; 4], OPTION_MAGIC, &OPTION_GO.to_be_bytes(), &u32::MAX.to_be_bytes()]);
        assert!(client.server.join().unwrap().is_err());
    }
}
