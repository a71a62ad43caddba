"""How people come in: with a password of the lab, by invitation, or with an account elsewhere (OpenID Connect)."""
