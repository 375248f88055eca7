// mistake: the mirrors are asked for what every registry has
let insecure = self.is_insecure(domain);
let host = if domain == HUB { HUB_API } else { domain };
let endpoint = |scheme| Endpoint { base: format!("{scheme}://{host}"), verify: !insecure, mirror: false };
let mut endpoints: Vec<_> =
    self.mirrors.iter().map(|mirror| Endpoint { mirror: true, ..self.endpoint(mirror) }).collect();
endpoints.push(endpoint("https"));
if insecure {
    endpoints.push(endpoint("http"));
}
endpoints
