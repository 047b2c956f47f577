//! Answers that are compressed although nobody asked for it. Decoded here, under the same limit as any answer, since a
//! compressed one could neither be searched for secrets nor be trusted about its size. Pure.

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use std::io::{self, Read};

/// How an answer's body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Identity,
    Gzip,
    Deflate,
}

/// Why an encoded body cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EncodingError {
    #[error("is encoded as `{0}`, which nobody asked for and kosmo does not read")]
    Unknown(String),
    #[error("is not the {0:?} it claims to be")]
    Broken(Encoding),
    #[error("has more than {} MiB once decoded", .0 >> 20)]
    TooLarge(usize),
}

impl Encoding {
    /// What an answer's head says. Encodings on top of each other are refused like unknown ones.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, EncodingError> {
        let named: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.as_bytes()).collect();
        let name = String::from_utf8_lossy(&named.join(&b", "[..])).trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(EncodingError::Unknown(name.chars().take(40).collect())),
        }
    }

    /// The body as it was before, if that has no more than `limit` bytes. An empty one, such as HEAD's, stays empty.
    pub(super) fn decode(self, body: Bytes, limit: usize) -> Result<Bytes, EncodingError> {
        if self == Self::Identity || body.is_empty() {
            return Ok(body);
        }
        let decoded = match self {
            Self::Deflate if is_zlib(&body) => read(ZlibDecoder::new(&*body), limit),
            // Some servers leave the wrapping out.
            Self::Deflate => read(DeflateDecoder::new(&*body), limit),
            Self::Gzip | Self::Identity => read(MultiGzDecoder::new(&*body), limit),
        };
        let decoded = decoded.map_err(|_| EncodingError::Broken(self))?;
        if decoded.len() > limit { Err(EncodingError::TooLarge(limit)) } else { Ok(decoded.into()) }
    }
}

/// RFC 1950: method 8, and the first two bytes are a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [cmf, flags, ..] if cmf & 15 == 8 && (u16::from(*cmf) << 8 | u16::from(*flags)).is_multiple_of(31))
}

/// One byte over the limit at most: what a bomb would become beyond that is never made.
fn read(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut decoded)?;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = b"{\"items\":[]}";

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory").into()
    }

    #[track_caller]
    fn check(encoding: &str, body: &[u8], expected: Result<&[u8], EncodingError>) {
        let headers = [(header::CONTENT_ENCODING, encoding.parse().expect("a value"))].into_iter().collect();
        let body = Bytes::copy_from_slice(body);
        let decoded = Encoding::of(&headers).and_then(|encoding| encoding.decode(body, 1 << 20));
        assert_eq!(decoded, expected.map(Bytes::copy_from_slice), "{encoding}");
    }

    #[test]
    fn what_servers_compress_unasked_is_read() {
        let (mut zlib, mut raw) =
            (ZlibEncoder::new(Vec::new(), Compression::fast()), DeflateEncoder::new(Vec::new(), Compression::fast()));
        zlib.write_all(TEXT).expect("memory");
        raw.write_all(TEXT).expect("memory");
        check("identity", TEXT, Ok(TEXT));
        check("gzip", &gzip(TEXT), Ok(TEXT));
        check("X-GZip", &gzip(TEXT), Ok(TEXT));
        check("gzip", &[gzip(TEXT), gzip(TEXT)].concat(), Ok(&[TEXT, TEXT].concat()));
        check("deflate", &zlib.finish().expect("memory"), Ok(TEXT));
        check("deflate", &raw.finish().expect("memory"), Ok(TEXT));
        check("gzip", b"", Ok(b""));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        check("br", TEXT, Err(EncodingError::Unknown("br".into())));
        check("gzip, gzip", TEXT, Err(EncodingError::Unknown("gzip, gzip".into())));
        check("gzip", TEXT, Err(EncodingError::Broken(Encoding::Gzip)));
        check("gzip", &gzip(TEXT)[..20], Err(EncodingError::Broken(Encoding::Gzip)));
        check("deflate", b"\xff\xff\xff", Err(EncodingError::Broken(Encoding::Deflate)));
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        check("gzip", &bomb, Err(EncodingError::TooLarge(1 << 20)));
    }
}
