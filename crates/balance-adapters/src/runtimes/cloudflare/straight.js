// Hands requests to the object itself, as Workers hand it their calls.
export default {
  fetch: (request, env) => env.POOL.get(env.POOL.idFromName("pool-wnam")).fetch(request),
};
