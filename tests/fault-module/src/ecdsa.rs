//! The two forms of ECDSA signatures and of EC points.

/// R and S, each half of `raw`, as `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) in
/// DER.
pub(crate) fn to_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    tagged(0x30, &[integer(r), integer(s)].concat())
}

/// The point inside an OCTET STRING, or `point` as it is.
pub(crate) fn bare_point(point: &[u8]) -> &[u8] {
    match point {
        [0x04, len, bare @ ..] if usize::from(*len) == bare.len() => bare,
        _ => point,
    }
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = &bytes[zeros..];
    let needs_zero = digits.first().is_none_or(|first| first & 0x80 != 0);
    let sign: &[u8] = if needs_zero { &[0] } else { &[] };
    tagged(0x02, &[sign, digits].concat())
}

/// Content of at most 255 bytes with its tag and length.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len() as u8;
    let head: &[u8] = if len < 0x80 {
        &[tag, len]
    } else {
        &[tag, 0x81, len]
    };
    [head, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_short_and_positive() {
        let der = to_der(&[0, 0, 1, 2, 0, 0x80, 3, 4]);
        assert_eq!(der, [0x30, 10, 2, 2, 1, 2, 2, 4, 0, 0x80, 3, 4]);
    }
}
