//! What a machine's screen shows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The widest and the highest screen that is taken: QEMU's VGA has less.
const SIDE_MAX: u16 = 8192;
/// The longest header of a picture: letters, two sides, and the largest value.
const HEADER_BYTES_MAX: usize = 64;

/// A picture of a screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Screen {
    /// Pixels of a line.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// Red, green and blue of each pixel, line by line from the top.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Screen({} × {})", self.width, self.height)
    }
}

impl Screen {
    /// Reads a file in the binary form of PPM with 8 bits for each colour, as QEMU writes it (ppm(5)).
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Self::parse(File::open(path)?)
    }

    fn parse(mut from: impl Read) -> io::Result<Self> {
        let fail = || io::Error::new(io::ErrorKind::InvalidData, "it is no picture in the form P6");
        let mut header = Vec::new();
        let mut byte = [0];
        // Four words, each ended by one white space.
        while header.iter().filter(|letter| u8::is_ascii_whitespace(letter)).count() < 4 {
            from.read_exact(&mut byte)?;
            header.push(byte[0]);
            if header.len() > HEADER_BYTES_MAX {
                return Err(fail());
            }
        }
        let header = str::from_utf8(&header).map_err(|_| fail())?;
        let words: Vec<&str> = header.split_ascii_whitespace().collect();
        let [kind, width, height, depth] = words[..] else { return Err(fail()) };
        let side =
            |text: &str| text.parse().ok().filter(|side| (1..=SIDE_MAX).contains(side)).ok_or_else(fail);
        let (width, height) = (side(width)?, side(height)?);
        if kind != "P6" || depth != "255" {
            return Err(fail());
        }
        let length = usize::from(width) * usize::from(height) * 3;
        let mut rgb = Vec::new();
        from.take(length as u64).read_to_end(&mut rgb)?;
        if rgb.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self { width, height, rgb })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_has_its_pixels() {
        let screen = Screen::parse(&b"P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06"[..]).unwrap();
        assert_eq!((screen.width, screen.height, screen.rgb), (2, 1, vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for bytes in [
            &b""[..],
            b"P5\n1 1\n255\n\x01\x02\x03",
            b"P6\n1 1\n65535\n\x01\x02\x03",
            b"P6\n2 1\n255\n\x01\x02\x03",
            b"P6\n0 1\n255\n",
            b"P6\n60000 60000\n255\n",
            &[b'7'; 1 << 10],
        ] {
            assert!(Screen::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
