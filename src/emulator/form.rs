//! `application/x-www-form-urlencoded`, and the query strings that look like it.

/// The fields in their order; bytes that are no UTF-8 become replacement characters.
pub(super) fn parse(body: &[u8]) -> Vec<(String, String)> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (decode(&pair[..equals]), decode(pair.get(equals + 1..).unwrap_or_default()))
        })
        .collect()
}

/// A segment of a path, in which `+` is only a plus.
pub(super) fn segment(text: &str) -> String {
    decode(text.replace('+', "%2B").as_bytes())
}

/// Undoes `%XX` and `+`; a broken escape stands for itself.
pub(super) fn decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        (bytes, rest) = match escape {
            Some(byte) => (push(bytes, byte), &tail[2..]),
            None => (push(bytes, if *first == b'+' { b' ' } else { *first }), tail),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A value as a query string or a fragment holds it.
pub(super) fn encode(value: &str) -> String {
    value.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
        out
    })
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let fields = parse(b"a=1+2&b=%E5%B1%B1%&&c&d=x=y&e=%zz%4");
        let expected = [("a", "1 2"), ("b", "山%"), ("c", ""), ("d", "x=y"), ("e", "%zz%4")];
        assert_eq!(fields, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn what_is_encoded_comes_back() {
        assert_eq!(encode("a b&c=山%"), "a%20b%26c%3D%E5%B1%B1%25");
        assert_eq!(decode(encode("a b&c=山%+").as_bytes()), "a b&c=山%+");
    }
}
