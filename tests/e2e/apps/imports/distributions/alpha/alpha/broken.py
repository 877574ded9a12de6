import alpha.nowhere
