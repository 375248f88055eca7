//! Sparse files in tar archives: only the parts that are no holes are stored, with a map of where they belong.
//!
//! There are four ways to store the map (GNU tar manual, "Storing Sparse Files"): in the header (old GNU), in PAX
//! records (0.0 with a pair of records per part, 0.1 with one list), or ahead of the data (1.0).

use crate::entry::number;
use crate::error::Refusal;
use crate::pax;

/// No honest file has more parts.
const MOST_PARTS: usize = 1 << 20;

/// A sparse file: its full size, and the parts that are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sparse {
    pub size: u64,
    /// Offset and length, ascending.
    pub parts: Vec<(u64, u64)>,
}

impl Sparse {
    /// Refuses parts that overlap, that reach over the end, or that do not add up to what is stored.
    pub(crate) fn verify(&self, stored: u64) -> Result<(), Refusal> {
        let mut end = 0;
        let mut sum = 0_u64;
        for (offset, length) in &self.parts {
            let next = offset.checked_add(*length).ok_or(Refusal::BadSparseMap)?;
            if *offset < end || next > self.size {
                return Err(Refusal::BadSparseMap);
            }
            end = next;
            sum += length;
        }
        if sum == stored { Ok(()) } else { Err(Refusal::BadSparseMap) }
    }

    /// Takes parts from an old GNU header or one of its continuations, up to the first unused one.
    pub(crate) fn push_gnu(&mut self, parts: &[tar::GnuSparseHeader]) -> Result<(), Refusal> {
        for part in parts.iter().take_while(|part| part.offset[0] != 0 && part.numbytes[0] != 0) {
            let offset = number(&part.offset).ok_or(Refusal::BadSparseMap)?;
            let length = number(&part.numbytes).ok_or(Refusal::BadSparseMap)?;
            self.push(
                offset.try_into().map_err(|_| Refusal::BadSparseMap)?,
                length.try_into().map_err(|_| Refusal::BadSparseMap)?,
            )?;
        }
        Ok(())
    }

    pub(crate) fn push(&mut self, offset: u64, length: u64) -> Result<(), Refusal> {
        if self.parts.len() == MOST_PARTS {
            return Err(Refusal::BadSparseMap);
        }
        self.parts.push((offset, length));
        Ok(())
    }
}

/// What the `GNU.sparse.*` records of an extended header say.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) name: Option<Vec<u8>>,
    major: Option<u64>,
    size: Option<u64>,
    numbers: Vec<u64>,
}

impl Records {
    /// Takes a record whose key begins with `GNU.sparse.`.
    pub(crate) fn take(&mut self, key: &str, value: Vec<u8>) -> Result<(), Refusal> {
        match key {
            "name" => self.name = Some(value),
            "major" => self.major = Some(pax::number(&value)?),
            "size" | "realsize" => self.size = Some(pax::number(&value)?),
            // 0.0: a record for each number, in turn.
            "offset" | "numbytes" => self.numbers.push(pax::number(&value)?),
            // 0.1: all of them in one.
            "map" => {
                let list = value.split(|byte| *byte == b',').filter(|text| !text.is_empty());
                self.numbers = list.map(pax::number).collect::<Result<_, _>>()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the map stands ahead of the data (1.0).
    pub(crate) fn map_in_data(&self) -> bool {
        self.major == Some(1)
    }

    /// The map of formats 0.0 and 0.1; of 1.0 only the size. Nothing if the file is not sparse.
    pub(crate) fn into_sparse(self) -> Result<Option<Sparse>, Refusal> {
        let Some(size) = self.size else { return Ok(None) };
        let (pairs, rest) = self.numbers.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > MOST_PARTS {
            return Err(Refusal::BadSparseMap);
        }
        Ok(Some(Sparse { size, parts: pairs.iter().map(|[offset, length]| (*offset, *length)).collect() }))
    }
}
