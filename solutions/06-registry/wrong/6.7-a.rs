// mistake: what is open stays locked while the work is done
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
let got = work();
drop(open);
flight.landing(self, key).with(got)
