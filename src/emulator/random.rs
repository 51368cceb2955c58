//! Made-up data that needs no storage: everything follows from (seed, index, purpose), and a GUID leads back to its index.

use uuid::Uuid;

/// The low 56 bits of a GUID hold its index.
const INDEX_MASK: u64 = (1 << 56) - 1;

/// Spreads neighbouring indexes over all 56 bits. Odd, so it has an inverse.
const SPREAD: u64 = 0x9e_3779_b97f_4a7d;

/// A well-mixed number (splitmix64) for a seed, an index and a purpose.
pub(super) fn mix(seed: u64, index: u64, purpose: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(index)
        .wrapping_mul(0xd134_2543_de82_ef95)
        .wrapping_add(purpose.wrapping_mul(0x2545_f491_4f6c_dd1d));
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
    }
    z
}

/// One of `choices`.
pub(super) fn pick<T>(choices: &[T], random: u64) -> &T {
    &choices[usize::try_from(random % choices.len() as u64).expect("smaller than the slice")]
}

/// The GUID of an object for a purpose. Stable, and [`index_of`] finds the index again.
pub(super) fn guid(seed: u64, index: u64, purpose: u64) -> Uuid {
    let hash = mix(seed, index, purpose);
    let low = (index.wrapping_mul(SPREAD) ^ mix(seed, 0, purpose)) & INDEX_MASK;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hash.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = 0x80 | (hash as u8 & 0x3f);
    Uuid::from_bytes(bytes)
}

/// The index whose GUID for `purpose` this is, if it is one.
pub(super) fn index_of(seed: u64, purpose: u64, id: Uuid) -> Option<u64> {
    let mut low = [0; 8];
    low[1..].copy_from_slice(&id.as_bytes()[9..]);
    let spread = (u64::from_be_bytes(low) ^ mix(seed, 0, purpose)) & INDEX_MASK;
    let index = spread.wrapping_mul(inverse(SPREAD)) & INDEX_MASK;
    (guid(seed, index, purpose) == id).then_some(index)
}

/// The inverse of an odd number modulo 2^64, by Newton's method: each round doubles the right bits.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_leads_back_to_its_index_and_to_no_other_purpose_or_seed() {
        for index in [0, 1, 2, 49, 99_999, 12_345_678_901] {
            let id = guid(7, index, 3);
            assert_eq!(id.get_version_num(), 4);
            assert_eq!(index_of(7, 3, id), Some(index));
            assert_eq!(index_of(7, 4, id), None);
            assert_eq!(index_of(8, 3, id), None);
        }
        assert_eq!(index_of(7, 3, Uuid::from_u128(0x1234)), None);
    }
}
