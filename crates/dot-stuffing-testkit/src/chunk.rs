//! Plans for cutting an input into pieces. No result may depend on the plan.

/// Cuts an input at the given places, in order.
#[must_use]
pub fn cut<'a>(input: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::with_capacity(places.len() + 1);
    let mut from = 0;
    for &place in places {
        chunks.push(&input[from..place]);
        from = place;
    }
    chunks.push(&input[from..]);
    chunks
}

/// Cuts an input between its octets where the bits of `mask` are set.
#[must_use]
pub fn masked(input: &[u8], mask: u32) -> Vec<&[u8]> {
    let places = (1..input.len()).filter(|at| mask >> (at - 1) & 1 == 1);
    cut(input, &places.collect::<Vec<_>>())
}

/// Sizes of buffers that software is built around, in octets.
pub const BUFFERS: [usize; 8] = [512, 1000, 1024, 4096, 8192, 16_384, 32_768, 65_536];

/// Returns the plans that a check runs: whole; octet by octet near each CR, LF or
/// dot; two with pieces of sizes drawn from `seed`; in two near a CR, LF or dot, and
/// with an empty piece between the two; pieces as large as the largest of [`BUFFERS`]
/// that is smaller than the input; and for short inputs every cut in two.
#[must_use]
pub fn plans(input: &[u8], seed: u64) -> Vec<Vec<&[u8]>> {
    let mut plans: Vec<_> = (0..6).map(|kind| plan(input, kind, seed)).collect();
    let mut buffers = BUFFERS.into_iter().rev();
    if let Some(buffer) = buffers.find(|&buffer| buffer < input.len()) {
        plans.push(input.chunks(buffer).collect());
    }
    if input.len() <= 16 {
        plans.extend((0..=input.len()).map(|at| cut(input, &[at])));
    }
    plans
}

/// Draws one of the first six of these plans from `seed`.
#[must_use]
pub fn drawn_plan(input: &[u8], seed: u64) -> Vec<&[u8]> {
    plan(input, hash(&[seed]) % 6, seed)
}

fn plan(input: &[u8], kind: u64, seed: u64) -> Vec<&[u8]> {
    match kind {
        0 => vec![input],
        1 => cut(input, &beside_marks(input)),
        2 => cut(input, &drawn_places(input.len(), 7, seed)),
        3 => cut(input, &drawn_places(input.len(), 6000, seed)),
        4 => cut(input, &[beside_a_mark(input, seed)]),
        _ => cut(input, &[beside_a_mark(input, seed); 2]),
    }
}

/// Returns a number that depends on all octets of an input.
#[must_use]
pub fn seed(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Mixes numbers into one (the finaliser of splitmix64).
#[must_use]
pub fn hash(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, &number| {
        let mut mixed = (hash ^ number).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

fn beside_marks(input: &[u8]) -> Vec<usize> {
    let is_mark = |at: usize| matches!(input.get(at), Some(b'\r' | b'\n' | b'.'));
    (1..input.len())
        .filter(|&at| is_mark(at - 1) || is_mark(at))
        .collect()
}

/// Draws a place between a CR, LF or dot and another octet, or any if there is none.
fn beside_a_mark(input: &[u8], seed: u64) -> usize {
    let marks = beside_marks(input);
    match marks.len() {
        0 => seed as usize % (input.len() + 1),
        count => marks[seed as usize % count],
    }
}

fn drawn_places(length: usize, largest: u64, seed: u64) -> Vec<usize> {
    let mut places = Vec::new();
    let (mut at, mut draw) = (0, seed);
    loop {
        draw = hash(&[draw]);
        at += (draw % largest + 1) as usize;
        if at >= length {
            return places;
        }
        places.push(at);
    }
}
