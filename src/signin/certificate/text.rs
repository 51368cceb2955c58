//! PEM as it comes from other systems: with a byte order mark, with CRLF, in base64 once more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The PEM text in `bytes` with line ends of its own; `None` if it is none.
///
/// # Errors
/// If it is PEM that something has spoiled; the words follow "the certificate " or "the private key ".
pub(in crate::signin) fn pem(bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err("is UTF-16: save it as UTF-8 (PowerShell: `Set-Content -Encoding ascii`)".to_owned());
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    if !bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
        return Ok(None);
    }
    // Lines end with LF for the reader; one CR before it belongs to the line end.
    let pem: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.iter().copied().filter(|byte| *byte != b'\r').collect());
    if !pem.trim_ascii().contains(&b'\n') {
        return Err(
            "has lost its line ends: keep it in a file or in Vault, or put real line ends into the variable"
                .to_owned(),
        );
    }
    Ok(Some(pem))
}

/// Binary content: as it is, or from base64, as variables and fields have to keep it.
pub(super) fn binary(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    /// How DER of a PFX file begins: a long sequence.
    const SEQUENCE: u8 = 0x30;
    if bytes.first() == Some(&SEQUENCE) && bytes.iter().any(|byte| !byte.is_ascii()) {
        return Some(Zeroizing::new(bytes.to_vec()));
    }
    let compact: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let decoded = Zeroizing::new(STANDARD.decode(&compact).ok()?);
    (decoded.first() == Some(&SEQUENCE)).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_read_as_editors_of_other_systems_write_it() {
        let plain = b"-----BEGIN X-----\nAA==\n-----END X-----\n";
        for spoiled in [
            plain.to_vec(),
            plain
                .iter()
                .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
                .collect(),
            [UTF8_MARK, plain].concat(),
        ] {
            assert_eq!(pem(&spoiled).unwrap().unwrap().as_slice(), plain);
        }
        assert!(pem(b"\xff\xfe-\0").unwrap_err().contains("UTF-8"));
        assert!(pem(br"-----BEGIN X-----\nAA==\n-----END X-----").unwrap_err().contains("line ends"));
        assert_eq!(pem(b"0\x82").unwrap(), None);
    }

    #[test]
    fn binary_content_may_be_base64_with_line_ends() {
        assert_eq!(binary(b"0\x82\x01").unwrap().as_slice(), b"0\x82\x01");
        assert_eq!(binary(b"MIIB\nAA==\n").unwrap().as_slice(), b"0\x82\x01\x00");
        assert!(binary(b"no base64!").is_none() && binary(b"AAAA").is_none());
    }
}
