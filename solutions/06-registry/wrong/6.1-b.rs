// mistake: what may be insecure is asked by plain HTTP only
if domain == HUB {
    let mirrors = self.mirrors.iter().map(|mirror| Endpoint { mirror: true, ..self.endpoint(mirror) });
    let hub = Endpoint { base: format!("https://{HUB_API}"), verify: true, mirror: false };
    return mirrors.chain([hub]).collect();
}
let insecure = self.is_insecure(domain);
let scheme = if insecure { "http" } else { "https" };
vec![Endpoint { base: format!("{scheme}://{domain}"), verify: !insecure, mirror: false }]
