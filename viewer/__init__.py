"""The desktop program: a window over the engine.

Layers, imports running down only: app > widgets > actions > session > rendering | jobs > tools >
document | settings. The document, the tools and the settings know no Qt; torch is imported only inside
job functions, so that the window opens without it.
"""
