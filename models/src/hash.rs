//! Hash functions that balancers place keys and endpoints by.

use std::hash::Hasher;

use fnv::FnvHasher;
use twox_hash::XxHash64;

/// A hash function of bytes. Those of 32 bits give them as the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// XXH64 with seed 0, of Envoy's and gRPC's ring hash, of Maglev and rendezvous.
    Xxh64,
    /// MurmurHash64A with libstdc++'s seed, Envoy's `MURMUR_HASH_2`.
    Murmur,
    /// The first word of MurmurHash3_x64_128 with seed 0, as spaolacci/murmur3's `Sum64`, which go-zero uses.
    Murmur3,
    /// FNV-1a of 64 bits.
    Fnv1a,
    /// CRC-32 of IEEE 802.3, as zlib's.
    Crc32,
    /// sdbm of 32 bits, avalanched: what HAProxy's `hash-type consistent` does unless told otherwise.
    Sdbm,
}

/// The seed that libstdc++'s `std::hash` gives its Murmur hash, and Envoy its ring: `MurmurHash::STD_HASH_SEED` in
/// source/common/common/hash.h.
const STD_HASH_SEED: u64 = 0xc70f_6907;

impl Hash {
    /// The hash of these bytes.
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Hash::Xxh64 => XxHash64::oneshot(0, bytes),
            Hash::Murmur => murmur2::murmur64a(bytes, STD_HASH_SEED),
            Hash::Murmur3 => murmur3(bytes),
            Hash::Fnv1a => fnv1a(bytes),
            Hash::Crc32 => u64::from(crc32fast::hash(bytes)),
            Hash::Sdbm => u64::from(full_hash(sdbm(bytes))),
        }
    }
}

/// The hash of a request that several policies give a part of, in their order: Envoy's `HashPolicyImpl::generateHash`
/// (source/common/http/hash_policy.cc) and gRFC A42. `None` of none.
pub(crate) fn combine(parts: impl IntoIterator<Item = u64>) -> Option<u64> {
    parts.into_iter().reduce(|hash, part| hash.rotate_left(1) ^ part)
}

/// HAProxy's avalanche of 32 bits, Bob Jenkins's with a factor more: `__full_hash` in include/haproxy/intops.h.
pub(crate) fn full_hash(word: u32) -> u32 {
    let word = word.wrapping_add(0x7ed5_5d16).wrapping_add(word << 12);
    let word = (word ^ 0xc761_c23c) ^ (word >> 19);
    let word = word.wrapping_add(0x1656_67b1).wrapping_add(word << 5);
    let word = word.wrapping_add(0xd3a2_646c) ^ (word << 9);
    let word = word.wrapping_add(0xfd70_46c5).wrapping_add(word << 3);
    let word = (word ^ 0xb55a_4f09) ^ (word >> 16);
    word.wrapping_mul(3_221_225_473)
}

fn murmur3(bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    let hash = murmur3::murmur3_x64_128(&mut rest, 0).expect("reading from memory does not fail");
    hash as u64
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// `hash_sdbm` in HAProxy's src/hash.c.
fn sdbm(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |hash: u32, &byte| {
        u32::from(byte).wrapping_add(hash << 6).wrapping_add(hash << 16).wrapping_sub(hash)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, and its hash by [`FUNCTIONS`].
    type Row = (&'static str, [u64; 5]);

    const FUNCTIONS: [Hash; 5] = [Hash::Xxh64, Hash::Murmur, Hash::Murmur3, Hash::Fnv1a, Hash::Crc32];

    /// By PyPI's xxhash 4.1.0 and mmh3 5.3.1 and by zlib; MurmurHash64A is confirmed by Envoy's test of a ring
    /// (`BasicWithMurmur2`), FNV-1a by its authors' offset basis.
    #[rustfmt::skip]
    const ROWS: [Row; 18] = [
        ("", [17_241_709_254_077_376_921, 6_142_509_188_972_423_790, 0, 14_695_981_039_346_656_037, 0]),
        ("a", [15_154_266_338_359_012_955, 4_993_892_634_952_068_459, 9_607_679_276_477_937_801, 12_638_187_200_555_641_996, 3_904_355_907]),
        ("b", [8_666_379_929_374_662_555, 10_838_281_452_030_117_757, 8_833_996_863_197_925_870, 12_638_190_499_090_526_629, 1_908_338_681]),
        ("c", [11_806_979_466_381_907_949, 10_959_529_184_379_665_549, 10_248_186_608_274_601_175, 12_638_189_399_578_898_418, 112_844_655]),
        ("abc", [4_952_883_123_889_572_249, 3_663_726_644_998_027_833, 13_012_657_714_217_449_575, 16_654_208_175_385_433_931, 891_568_578]),
        ("hello", [2_794_345_569_481_354_659, 2_762_169_579_135_187_400, 14_688_674_573_012_802_306, 11_831_194_018_420_276_491, 907_060_870]),
        ("foo", [3_728_699_739_546_630_719, 9_631_199_822_919_835_226, 16_316_970_633_193_145_697, 15_902_901_984_413_996_407, 2_356_372_769]),
        ("node-1", [1_613_676_655_550_338_725, 12_708_911_310_013_323_892, 15_087_085_178_347_217_057, 16_615_728_193_742_600_643, 334_634_079]),
        ("127.0.0.1:90_0", [16_117_243_373_044_804_889, 5_656_417_760_668_758_976, 13_382_601_088_362_623_827, 15_029_713_410_363_116_306, 2_593_546_797]),
        ("127.0.0.1:90_1", [1_033_482_794_131_418_490, 7_593_076_544_525_390_372, 11_279_889_512_247_312_708, 15_029_714_509_874_744_517, 3_985_724_091]),
        ("127.0.0.1:90", [13_180_206_916_909_469_397, 6_214_938_230_638_064_747, 9_706_681_467_450_301_605, 16_714_492_646_356_049_741, 1_840_335_689]),
        ("10.0.0.1:80800", [4_179_308_334_999_423_090, 3_498_677_820_866_584_040, 17_672_957_448_361_460_296, 3_354_778_043_017_165_151, 3_007_365_817]),
        ("The quick brown fox jumps over the lazy dog", [802_816_344_064_684_476, 15_910_076_551_593_770_101, 16_378_391_709_484_522_348, 17_580_284_887_202_820_368, 1_095_738_169]),
        ("1", [13_237_225_503_670_494_420, 10_159_970_873_491_820_195, 8_213_365_047_359_667_313, 12_638_134_423_997_487_868, 2_212_294_583]),
        ("2", [6_927_017_134_761_466_251, 4_551_451_650_890_805_270, 5_293_579_765_126_103_566, 12_638_137_722_532_372_501, 450_215_437]),
        ("3", [2_744_517_546_871_237_796, 8_248_777_770_799_913_213, 18_291_247_452_908_495_256, 12_638_136_623_020_744_290, 1_842_515_611]),
        ("4", [10_464_417_414_901_951_369, 16_215_888_864_653_804_456, 17_782_766_484_734_585_153, 12_638_131_125_462_603_235, 4_088_798_008]),
        ("é", [1_717_938_401_253_289_848, 15_791_941_521_038_362_485, 14_490_466_646_156_927_976, 775_207_407_765_167_617, 235_179_326]),
    ];

    #[test]
    fn digests_are_those_of_the_reference() {
        for (text, digests) in ROWS {
            assert_eq!(FUNCTIONS.map(|function| function.of(text.as_bytes())), digests, "{text:?}");
        }
    }

    #[test]
    fn what_everybody_knows_of_these_functions() {
        assert_eq!(Hash::Xxh64.of(b""), 0xef46_db37_51d8_e999);
        assert_eq!(Hash::Fnv1a.of(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Hash::Crc32.of(b"123456789"), 0xcbf4_3926);
    }

    /// sdbm's step is `hash * 65599 + byte`; the avalanche of two words is by the C expressions, computed elsewhere.
    #[test]
    fn haproxy_hashes_with_sdbm_and_an_avalanche() {
        let plain = |text: &str| {
            text.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(65_599).wrapping_add(u32::from(byte)))
        };
        for text in ["", "a", "session-abc", "é"] {
            assert_eq!(sdbm(text.as_bytes()), plain(text));
            assert_eq!(Hash::Sdbm.of(text.as_bytes()), u64::from(full_hash(plain(text))));
        }
        assert_eq!(full_hash(0), 2_874_071_335);
        assert_eq!(full_hash(4_096), 1_237_450_891);
    }

    /// The row of gRFC A42 as grpc-go computes it, and the two ends of it.
    #[test]
    fn policies_combine_in_their_order() {
        let (first, second) = (Hash::Xxh64.of(b"x"), 13_923_454_618_160_480_178);
        assert_eq!(combine([first, second]), Some(8_663_673_449_504_447_988));
        assert_eq!(combine([first]), Some(first));
        assert_eq!(combine([]), None);
    }
}
