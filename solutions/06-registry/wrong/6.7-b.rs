// mistake: the landing is made when the work is over, so that nobody hears of a panic in it
let mut open = locked(&self.open);
if let Some(flight) = open.get(key).cloned() {
    drop(open);
    return match flight.wait() {
        Some(got) => got,
        None => self.join(key, work),
    };
}
let flight = Arc::new(Flight::default());
open.insert(key.clone(), flight.clone());
drop(open);
let got = work();
flight.landing(self, key).with(got)
