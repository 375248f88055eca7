//! Names for containers whose user gave none: an adjective and the surname of someone whose work we live by.

use rand::RngExt;

/// Such as `jolly_hopper`. From the second attempt on with a digit behind it, as the plain ones seem to be taken.
pub(crate) fn random_name(attempt: u32) -> String {
    let mut random = rand::rng();
    loop {
        let adjective = ADJECTIVES[random.random_range(0..ADJECTIVES.len())];
        let surname = SURNAMES[random.random_range(0..SURNAMES.len())];
        // Steve Wozniak is not boring.
        if (adjective, surname) == ("boring", "wozniak") {
            continue;
        }
        let digit = if attempt == 0 { String::new() } else { random.random_range(0..10u8).to_string() };
        return format!("{adjective}_{surname}{digit}");
    }
}

#[rustfmt::skip]
const ADJECTIVES: [&str; 125] = [
    "agile", "amber", "ample", "apt", "astute", "avid", "blithe", "bold", "boring", "brave", "breezy", "bright",
    "brisk", "calm", "candid", "careful", "cheerful", "civil", "clear", "clever", "cosmic", "cosy", "crisp",
    "curious", "dapper", "daring", "deft", "diligent", "dreamy", "eager", "earnest", "easy", "elated", "elegant",
    "epic", "fair", "fearless", "festive", "fine", "firm", "fleet", "fluent", "fond", "frank", "free", "fresh",
    "friendly", "frugal", "gallant", "gentle", "gifted", "glad", "golden", "graceful", "grand", "happy", "hardy",
    "hearty", "helpful", "honest", "hopeful", "humble", "jaunty", "jolly", "jovial", "joyful", "keen", "kind",
    "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mighty", "mindful", "modest", "neat", "nimble",
    "noble", "patient", "peaceful", "placid", "playful", "plucky", "poised", "polite", "prudent", "quick", "quiet",
    "quirky", "radiant", "ready", "robust", "rosy", "serene", "sharp", "silver", "sincere", "sleek", "smart",
    "snug", "sober", "spry", "stable", "steady", "stoic", "sturdy", "subtle", "sunny", "swift", "tender", "thrifty",
    "tidy", "tranquil", "trusty", "upbeat", "valiant", "vivid", "warm", "wise", "witty", "zealous", "zen", "zesty",
];

#[rustfmt::skip]
const SURNAMES: [&str; 278] = [
    "abel", "agnesi", "allen", "ampere", "apgar", "appert", "arago", "archimedes", "ardinghelli", "aristotle",
    "arrhenius", "avicenna", "avogadro", "babbage", "backus", "banach", "banneker", "bardeen", "bartik", "bassi",
    "bayes", "becquerel", "bell", "berners", "bernoulli", "bessel", "bhabha", "blackburn", "blackwell", "boccaccio",
    "bohr", "boltzmann", "bombelli", "boole", "booth", "borg", "bose", "brahmagupta", "braille", "brown", "buck",
    "bunsen", "burnell", "caesar", "cannon", "cantor", "cardano", "carnot", "carson", "cartwright", "cassini",
    "cauchy", "cavendish", "celsius", "cerf", "champollion", "chandrasekhar", "chatelet", "chebyshev", "church",
    "clarke", "codd", "coriolis", "coulomb", "cray", "curie", "cuvier", "daguerre", "dalton", "darwin",
    "daubechies", "davinci", "davy", "delaunay", "descartes", "diderot", "dijkstra", "dirac", "doppler", "driscoll",
    "eckert", "edison", "einstein", "elion", "engelbart", "eratosthenes", "erdos", "euclid", "euler", "fabre",
    "faraday", "feinler", "fermat", "fermi", "feynman", "fizeau", "flammarion", "fleming", "foucault", "fourier",
    "franklin", "fresnel", "galileo", "galois", "galton", "gauss", "geber", "germain", "gibbs", "godel", "goldberg",
    "goldwasser", "goodall", "gosper", "gould", "grothendieck", "gutenberg", "hadamard", "haldane", "halley",
    "hamilton", "hamming", "haslett", "hawking", "heisenberg", "hermite", "herschel", "hertz", "hilbert",
    "hipparchus", "hodgkin", "hooke", "hopper", "hubble", "humboldt", "huygens", "hypatia", "ibnsina", "jacobi",
    "jacquard", "jemison", "jennings", "joliot", "joule", "kahn", "kalman", "kapitsa", "kepler", "khayyam", "kilby",
    "kirch", "kirchhoff", "knuth", "kovalevskaya", "lagrange", "lalande", "lamarck", "lamarr", "lambert",
    "langevin", "laplace", "lavoisier", "leavitt", "lebesgue", "legendre", "leibniz", "lichterman", "linnaeus",
    "liskov", "lord", "lovelace", "lumiere", "lyapunov", "mach", "mandelbrot", "maxwell", "mayer", "mccarthy",
    "mcclintock", "mclean", "meitner", "mendel", "mendeleev", "mercator", "merian", "michelson", "minkowski",
    "mirzakhani", "moliere", "monge", "montalcini", "moore", "morse", "napier", "nash", "neumann", "newton",
    "niepce", "nightingale", "nobel", "noether", "noyce", "ohm", "oresme", "papin", "pappus", "pascal", "pasteur",
    "pauling", "pavlov", "payne", "peano", "peirce", "perlman", "pike", "planck", "poincare", "poisson", "ptolemy",
    "pythagoras", "raman", "ramanujan", "reaumur", "ride", "riemann", "ritchie", "roemer", "rontgen", "rosalind",
    "rubin", "rutherford", "sagan", "salk", "sammet", "saunders", "schrodinger", "seki", "shannon", "shockley",
    "siemens", "sinoussi", "snyder", "stallings", "stonebraker", "sutherland", "tao", "tesla", "thales", "thompson",
    "torricelli", "torvalds", "tsiolkovsky", "tu", "turing", "vaucanson", "vaughan", "venn", "viete", "villani",
    "volhard", "volta", "wallis", "watt", "weierstrass", "wescoff", "wiener", "wilbur", "wiles", "wilkes", "wing",
    "wozniak", "wright", "wu", "yalow", "yonath", "zeno", "zhukovsky", "zuse",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_of_the_expected_form() {
        for word in ADJECTIVES.iter().chain(&SURNAMES) {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
        for attempt in 0..50 {
            let name = random_name(attempt);
            assert!(name.contains('_') && crate::container::names::check(&name).is_ok(), "{name}");
            assert_eq!(name.ends_with(|c: char| c.is_ascii_digit()), attempt > 0);
            assert_ne!(name, "boring_wozniak");
        }
    }
}
