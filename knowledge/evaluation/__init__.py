"""How well a knowledge base answers: questions whose right entry is known, and figures about what was found."""
