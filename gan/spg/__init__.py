"""SPG: new text on a real plate, in its own style. Six parts, each usable alone, and how they are taught.

encoders       what the source picture shows, what is asked for, and the style as a code
transformer    what is asked for looks at the source: with attention, or (by default) at its same place
masks          where the old characters are and where the new ones come
generator      the picture
judge          `gan.discriminator.Discriminator`, beside the condition
"""
