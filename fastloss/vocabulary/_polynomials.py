"""Coefficients of the polynomials in the elementary functions, constant term first.

Minimax fits; ``csrc/real.hpp`` and ``csrc/special`` say where each is used, and have the same
numbers.
"""

from __future__ import annotations

__all__ = ["EXP", "EXPM1", "LOG", "LOG1P_UNIT", "REDUCED"]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float.fromhex(number) for number in text.split())


EXP = {
    "float32": _numbers("""
        0x1p0 0x1.fffff8p-2 0x1.55548cp-3 0x1.555b82p-5 0x1.123cfcp-7 0x1.686a6ep-10
    """),
    "float64": _numbers("""
        0x1p0 0x1.000000000000cp-1 0x1.555555555551bp-3 0x1.555555554fe61p-5
        0x1.111111111fa0bp-7 0x1.6c16c185eb975p-10 0x1.a01a015589ca9p-13 0x1.a019960d73a8p-16
        0x1.71dec61e25361p-19 0x1.28b0a7b22ab76p-22 0x1.ae1484398610ep-26
    """),
}
EXPM1 = {
    "float32": _numbers("""
        0x1.000004p-1 0x1.5554e6p-3 0x1.5546d6p-5 0x1.11e742p-7 0x1.7e8ad2p-10
    """),
    "float64": _numbers("""
        0x1p-1 0x1.5555555555554p-3 0x1.55555555555dp-5 0x1.1111111111a6ap-7
        0x1.6c16c16bc5309p-10 0x1.a01a019c27334p-13 0x1.a01a03f49fcfp-16 0x1.71de3c3e52edfp-19
        0x1.27ddd02c83093p-22 0x1.aebe9eaedebfbp-26 0x1.2ef3c235c12cap-29
    """),
}
LOG = {
    "float32": _numbers("""
        -0x1.fffff8p-4 0x1.55555p-6 -0x1.000432p-8 0x1.99a41ap-11 -0x1.5425c4p-13 0x1.226dfcp-15
        -0x1.0f3fa6p-17 0x1.0860dp-19 -0x1.384734p-22
    """),
    "float64": _numbers("""
        -0x1.0000000000003p-3 0x1.555555555551cp-6 -0x1.fffffffffdedep-9 0x1.99999999a17dfp-11
        -0x1.55555556e2856p-13 0x1.2492492246c29p-15 -0x1.fffffef6a1e86p-18 0x1.c71c71d805a6p-20
        -0x1.9999c90990664p-22 0x1.745d4523d2901p-24 -0x1.55507465c25d7p-26 0x1.3b0ac9094b35p-28
        -0x1.24dc4ad654c53p-30 0x1.11d8243d8c86dp-32 -0x1.fb6e5d1672714p-35
        0x1.cfb72947854afp-37 -0x1.d15a5125f36fep-39 0x1.0b5466cbc079ep-40
        -0x1.eb43a8d53b327p-43 0x1.abe14c50ffa5ep-46
    """),
}
LOG1P_UNIT = {
    "float32": _numbers("""
        -0x1.ffffd2p-2 0x1.554ddap-2 -0x1.ff2556p-3 0x1.935568p-3 -0x1.3a6736p-3 0x1.b53c48p-4
        -0x1.d7efa8p-5 0x1.4a9226p-6 -0x1.b22adep-9
    """),
    "float64": _numbers("""
        -0x1.fffffffffff9fp-2 0x1.5555555551052p-2 -0x1.fffffffdd4a4bp-3 0x1.99999951fb01bp-3
        -0x1.55554fbe64ea4p-3 0x1.2491fed9cfc49p-3 -0x1.fffa8bd00015p-4 0x1.c6f6a83b8b02fp-4
        -0x1.98d296b9a7e37p-4 0x1.712df6166ba31p-4 -0x1.4b022086f55f2p-4 0x1.202df1e815f6cp-4
        -0x1.d7115508cb8bp-5 0x1.5a892cb8ffafap-5 -0x1.b632818d739d7p-6 0x1.c57efadab199bp-7
        -0x1.6b4e60f2382acp-8 0x1.a25bf10450d3fp-10 -0x1.31f8cd7a6207ap-12 0x1.a9067c05a4c2ep-16
    """),
}
REDUCED = {
    "atanh_reduced": {
        "float32": _numbers("""
            0x1.99999ap-3 0x1.24921p-3 0x1.c7040ap-4 0x1.827f72p-4
        """),
        "float64": _numbers("""
            0x1.999999999999ap-3 0x1.24924924922fep-3 0x1.c71c71c74c77ap-4 0x1.745d173ce41bap-4
            0x1.3b13a9cbb9295p-4 0x1.111551154f6e7p-4 0x1.e01971bc0ae18p-5 0x1.daa559ed76241p-5
        """),
    },
    "exp_cubic": {
        "float32": _numbers("""
            0x1.555556p-3 0x1.555518p-5 0x1.110f7ep-7 0x1.6d12bcp-10 0x1.a37bf2p-13
        """),
        "float64": _numbers("""
            0x1.5555555555556p-3 0x1.5555555555556p-5 0x1.11111111107p-7 0x1.6c16c16c15f33p-10
            0x1.a01a01a90c6f6p-13 0x1.a01a01a8a848ep-16 0x1.71de0a1280761p-19
            0x1.27e4d630d32ecp-22 0x1.af3f6e6a802fep-26 0x1.1f7cd81946af2p-29
        """),
    },
    "log_cosh_reduced": {
        "float32": _numbers("""
            -0x1.5554f6p-4 0x1.6bf4d4p-6 -0x1.b6227ep-8 0x1.03ed48p-9 -0x1.a929b6p-12
        """),
        "float64": _numbers("""
            -0x1.55555555554ddp-4 0x1.6c16c16c0a228p-6 -0x1.ba1ba1b2b411ap-8 0x1.1ea5d28426d77p-9
            -0x1.833d6bf69e769p-11 0x1.0d08a122ba43cp-12 -0x1.7d6ff7fa7a464p-14
            0x1.11a67ba186191p-15 -0x1.850cf45c5403bp-17 0x1.00db470d6544fp-18
            -0x1.0d7bb3618db21p-20 0x1.3b72c2ef1984dp-23
        """),
    },
    "mills_reduced": {
        "float32": _numbers("""
            -0x1.8c18fp-4 0x1.cabdap-7 0x1.d495c2p-6 -0x1.07c46cp-5 0x1.25e45ap-6 -0x1.47b77ap-8
            -0x1.31859p-12 0x1.69a3a4p-11 -0x1.623ef4p-14 -0x1.5014d4p-14 0x1.a49ceep-17
            0x1.ed17aap-18
        """),
        "float64": _numbers("""
            -0x1.8c18f2086e34bp-4 0x1.cabd72a60f83bp-7 0x1.d4969f10e01a4p-6 -0x1.07c3c2582b3d9p-5
            0x1.25dd7205fe5fap-6 -0x1.47d5fc75024dap-8 -0x1.2b7f5dfe4cc64p-12
            0x1.6c53834d8d138p-11 -0x1.8c11b07bd4e5fp-14 -0x1.707bc460f4b1ep-14
            0x1.6483b05c4c753p-16 0x1.c9427141cf79fp-17 -0x1.cc96b3c7412dep-19
            -0x1.5ee6878ac538dp-19 0x1.b0b37d9f18282p-22 0x1.29e053a6122ccp-21
            0x1.2439dd1715b11p-28 -0x1.eba7d774857b3p-24 -0x1.90b9e51654ff4p-26
            0x1.5c11f6ca5635ep-26 0x1.309666f772eebp-27 -0x1.67f654f78fecep-29
            -0x1.065f663479d1p-29 0x1.896d5251bc3dfp-33 0x1.b1b415954570bp-33
        """),
    },
    "mills_slope_reduced": {
        "float32": _numbers("""
            -0x1.63307p-2 -0x1.61a6a6p-3 0x1.6a0882p-2 -0x1.c52988p-3 0x1.bc29dp-6 0x1.cbe228p-5
            -0x1.3e4adap-5 0x1.27f21p-8 0x1.7850c2p-8 -0x1.b9d0bep-10 -0x1.8ce68ep-11
            0x1.d0a988p-13 0x1.3dc8bep-14
        """),
        "float64": _numbers("""
            -0x1.63306e6d1422bp-2 -0x1.61a6f28fb61a2p-3 0x1.6a084c18381bbp-2
            -0x1.c524c0ae21748p-3 0x1.bc4bba86e9a44p-6 0x1.cb6e5a182d333p-5 -0x1.3e9888125f7cdp-5
            0x1.328d74bc6f5f9p-8 0x1.7e3f04f05df7cp-8 -0x1.fb76db456c839p-10
            -0x1.ce8def0325b21p-11 0x1.bef2c55d34003p-12 0x1.6df1c78062b6cp-13
            -0x1.53412d74cfe78p-14 -0x1.6cfb27d090d5bp-15 0x1.a3822be0b02c6p-17
            0x1.85f07d4fa0e0cp-17 -0x1.a66978468dfeep-21 -0x1.85743b5c1ffc1p-19
            -0x1.cf7f4ed2d2638p-22 0x1.463cf6d13f86dp-21 0x1.d57e4c9431942p-23
            -0x1.91ce832bc4479p-24 -0x1.c062cec33e816p-25 0x1.1d5ebb0bfabb6p-27
            0x1.84224ed32f2d3p-28 -0x1.949658329774bp-33
        """),
    },
    "normal_interval_reduced": {
        "float32": _numbers("""
            -0x1.105832p-3 0x1.46ce48p-6 -0x1.36fcdcp-9 0x1.dbf84ep-13 -0x1.00c09ap-16
        """),
        "float64": _numbers("""
            -0x1.1058377e2ceep-3 0x1.46d042976916dp-6 -0x1.37403f6b9e0e3p-9 0x1.e42b0d50b358cp-13
            -0x1.3ce8fa904bb7bp-16 0x1.658a18d27d5ap-20 -0x1.62216950bbed2p-24
            0x1.3864e95f9703p-28 -0x1.ef0971dc5b4cbp-33 0x1.57c30baa77936p-37
            -0x1.4d835d9ccd392p-42
        """),
    },
    "log_excess_reduced": {
        "float32": _numbers("""
            0x1.555554p-2 0x1.fffffep-3 0x1.999dbcp-3 0x1.55592p-3 0x1.2363bp-3 0x1.fdd478p-4
            0x1.fdb51ap-4 0x1.cbb334p-4
        """),
        "float64": _numbers("""
            0x1.5555555555555p-2 0x1.ffffffffffef6p-3 0x1.999999999989cp-3 0x1.5555555583729p-3
            0x1.24924924be413p-3 0x1.ffffffb59efd2p-4 0x1.c71c71803160fp-4 0x1.9999b478673b9p-4
            0x1.745d30e46a30fp-4 0x1.555033cb4518ap-4 0x1.3b0ecce1b21fap-4 0x1.251fcfa54c874p-4
            0x1.1197fdc81c9dep-4 0x1.eecfaa9236669p-5 0x1.d17f3523b5ef5p-5 0x1.28a26e19fd4abp-4
            0x1.196a563b4a862p-4
        """),
    },
    "tanh_reduced": {
        "float32": _numbers("""
            -0x1.55553ep-2 0x1.110b58p-3 -0x1.b92b22p-5 0x1.5d1564p-6 -0x1.e5df3ep-8 0x1.9ff75p-10
        """),
        "float64": _numbers("""
            -0x1.5555555555521p-2 0x1.111111110de5cp-3 -0x1.ba1ba1b7f45d2p-5 0x1.664f4824215e7p-6
            -0x1.226e2bc0fd27p-7 0x1.d6d28df974ff2p-9 -0x1.7d94ff4593277p-10 0x1.34e50592c9464p-11
            -0x1.f05df5db1ebb5p-13 0x1.819b59bded5f6p-14 -0x1.0cdc22128aff6p-15
            0x1.1ebcb4cbac036p-17 -0x1.4ae20ea31d7b2p-20
        """),
    },
    "lgamma_reduced": {
        "float32": _numbers("""
            0x1.4a34ccp-2 -0x1.13dffcp-4 0x1.5132d2p-6 -0x1.e40ffp-8 0x1.7aa5ap-9 -0x1.36d14ap-10
            0x1.0e59c4p-11 -0x1.0a864p-12 0x1.9dc56p-14
        """),
        "float64": _numbers("""
            0x1.4a34cc4a60fa7p-2 -0x1.13e001a55760ap-4 0x1.51322ac7d7c8p-6 -0x1.e404fc218d9bbp-8
            0x1.7add6eaea4ecfp-9 -0x1.38ac5c2d5a95p-10 0x1.0b36af1b9a928p-11
            -0x1.d3fd4b5c8f264p-13 0x1.a127e63a167ddp-14 -0x1.78de9c98fbb1fp-15
            0x1.5805dc3dd984fp-16 -0x1.3cb38d8bea99ep-17 0x1.2650625c4fa25p-18
            -0x1.1279cf68c97b9p-19 0x1.ece3c11527a9bp-21 -0x1.cde7ac8a1eebdp-22
            0x1.2d320fa41a656p-22 -0x1.205c06d1cccfep-23
        """),
    },
    "stirling_reduced": {
        "float32": _numbers("""
            0x1.555556p-4 -0x1.6c1c92p-9 0x1.a16ae6p-11 -0x1.34fe06p-11 0x1.1a47c8p-11
        """),
        "float64": _numbers("""
            0x1.5555555555554p-4 -0x1.6c16c16c03f15p-9 0x1.a01a013890fd6p-11
            -0x1.3813471e4a134p-11 0x1.b94080490c4c4p-11 -0x1.f5132749ea88ap-10
            0x1.979d3692e2c4ap-8 -0x1.9e6c629413ed5p-6 0x1.b93063fe5c729p-4 -0x1.9c4ed9745fa8bp-2
            0x1.2228ffc34fd45p0 -0x1.04acc7500f9d6p1 0x1.b669d4caae4ecp0
        """),
    },
    "digamma_reduced": {
        "float32": _numbers("""
            0x1.e6f0ccp-1 -0x1.b1cb68p-2 0x1.eca134p-3 -0x1.2febcap-3 0x1.851f46p-4
            -0x1.fc5a2cp-5 0x1.4d6efcp-5 -0x1.a699f8p-6 0x1.223d56p-6 -0x1.0c12b6p-6
            0x1.4850a2p-7
        """),
        "float64": _numbers("""
            0x1.e6f0cbb873617p-1 -0x1.b1cb63005ee97p-2 0x1.eca189b8e6b6p-3 -0x1.2feeeb98a7c0cp-3
            0x1.8512e59075768p-4 -0x1.fb442029de80bp-5 0x1.4de9a9fe47d1ap-5 -0x1.b9f8b13160c11p-6
            0x1.2564772e56ffap-6 -0x1.8635604abdd7ep-7 0x1.03bfe663add42p-7 -0x1.5a070637cf2cp-8
            0x1.cd42923ff0042p-9 -0x1.33678a05002aap-9 0x1.97e31f6b116fbp-10
            -0x1.0ff4137bdc196p-10 0x1.7c5706ff83459p-11 -0x1.fa57e6529f0fdp-12
            0x1.d4a8e11dcfdcap-13 -0x1.3b22890d48f92p-13 0x1.134d654940fe5p-12
            -0x1.6d010dd458889p-13
        """),
    },
    "digamma_far_reduced": {
        "float32": _numbers("""
            0x1.555554p-4 -0x1.110458p-7 0x1.005918p-8 -0x1.bcebacp-9 0x1.41766ap-9
        """),
        "float64": _numbers("""
            0x1.5555555555549p-4 -0x1.11111110dd97fp-7 0x1.041040728074ep-8 -0x1.1110be717b4ep-8
            0x1.f06302a716f6cp-8 -0x1.586647200c604p-6 0x1.4b9285c0ccfcp-4 -0x1.8b1234eddb01cp-2
            0x1.f96e89b8b7ea5p0 -0x1.2fd9bd7a1b55bp3 0x1.36ed5cbdee4dp5 -0x1.f84de4bd4ace5p6
            0x1.30bbb08276aaap8 -0x1.fe0d30b0dde22p8 0x1.061911c049c26p9 -0x1.f089597846773p7
        """),
    },
    "trigamma_reduced": {
        "float32": _numbers("""
            0x1.de9e64p-1 -0x1.a85808p-1 0x1.68baacp-1 -0x1.287868p-1 0x1.da09f4p-2
            -0x1.72c354p-2 0x1.1ed7dcp-2 -0x1.b13c28p-3 0x1.24852p-3 -0x1.b5bdecp-4 0x1.09c664p-3
            -0x1.79e6f8p-4
        """),
        "float64": _numbers("""
            0x1.de9e64df22ef3p-1 -0x1.a85808a40aba4p-1 0x1.68ba30a420964p-1 -0x1.287825428e51bp-1
            0x1.da2d963cfa91cp-2 -0x1.72d7487c4c3b2p-2 0x1.1cc1377d48559p-2 -0x1.aeb6f14d8a263p-3
            0x1.41a51b5485566p-3 -0x1.db4d868c4169fp-4 0x1.5c085a60f6199p-4 -0x1.f9c6d0d0d1a2p-5
            0x1.6d13579ae5fd2p-5 -0x1.06088e1cc188p-5 0x1.76873a9f9a2f5p-6 -0x1.0a262a493f14cp-6
            0x1.75890410bff6fp-7 -0x1.0904d4f8ba8cep-7 0x1.92eae295bb422p-8 -0x1.131efbc0e1bdfp-8
            0x1.bdb0c9b81e9f2p-10 -0x1.6816dc1745513p-10 0x1.79582b7b07359p-9
            -0x1.eb05a88830eebp-10
        """),
    },
    "trigamma_far_reduced": {
        "float32": _numbers("""
            0x1.555554p-3 -0x1.110a88p-5 0x1.837332p-6 -0x1.ecebp-6 0x1.592cdap-5 -0x1.1df514p-5
        """),
        "float64": _numbers("""
            0x1.555555555554ap-3 -0x1.11111110f32dep-5 0x1.8618611b0ab79p-6 -0x1.1110ea848c72cp-5
            0x1.36461fefb582ap-4 -0x1.02bd5e3750e5p-2 0x1.25f03d51303e9p0 -0x1.a1658d3f0db77p2
            0x1.4a5622b650212p5 -0x1.0280475a27939p8 0x1.6bbd1bd14f1ap10 -0x1.af02aa7052707p12
            0x1.9a8b172b67528p14 -0x1.2dfc8178a8eaap16 0x1.47eb1f3812022p17 -0x1.ec9206c9ede14p17
            0x1.c79adfd8b02a3p17 -0x1.863b351d64969p16
        """),
    },
    "stirling_divided": {
        "float32": _numbers("""
            0x1.555556p-4 -0x1.6c16cp-9 0x1.a01334p-11 -0x1.36b70cp-11 0x1.9ae452p-11
            -0x1.3fadb8p-10 0x1.3f3446p-10
        """),
        "float64": _numbers("""
            0x1.5555555555555p-4 -0x1.6c16c16c16b62p-9 0x1.a01a019f20e7ep-11 -0x1.38138002d6e8fp-11
            0x1.b9513509f7b51p-11 -0x1.f68f36f3f9d47p-10 0x1.a2a9c6e6ae862p-8 -0x1.d6de8de91c22bp-6
            0x1.42853406aacdap-3 -0x1.d69e93b8fc15bp-1 0x1.404d5a3821aa1p2 -0x1.6db6620ae2a9bp4
            0x1.4191edfd80e77p6 -0x1.8f2b0ac2ec1ep7 0x1.33b7c7e78b1d2p8 -0x1.b85693f01eb72p7
        """),
    },
    "digamma_far_divided": {
        "float32": _numbers("""
            0x1.555556p-4 -0x1.11110cp-7 0x1.0405ep-8 -0x1.0ef9d2p-8 0x1.c114dap-8 -0x1.8dff96p-7
            0x1.a7e806p-7
        """),
        "float64": _numbers("""
            0x1.5555555555555p-4 -0x1.1111111111015p-7 0x1.041041034ac06p-8 -0x1.11110ff9f920dp-8
            0x1.f07b6c5cd3c72p-8 -0x1.59853bf47cd69p-6 0x1.545d06123089fp-4 -0x1.bb9848980e795p-2
            0x1.5e450442a6dd6p1 -0x1.29d124e3ff2cfp4 0x1.e3445fe75f2a7p6 -0x1.5376e96c20063p9
            0x1.7f944fb3b2b57p11 -0x1.46d398832b634p13 0x1.8561bbed2e4dbp14 -0x1.1f1614d84cf76p15
            0x1.88b7d53804c1fp14
        """),
    },
    "trigamma_far_divided": {
        "float32": _numbers("""
            0x1.555556p-3 -0x1.1110fep-5 0x1.85f6bap-6 -0x1.0da6ep-5 0x1.0f0202p-4 -0x1.0c0c26p-3
            0x1.2d8cb4p-3
        """),
        "float64": _numbers("""
            0x1.5555555555555p-3 -0x1.1111111110f7fp-5 0x1.86186184b4d44p-6 -0x1.11110ff55f31p-5
            0x1.364d2cba59386p-4 -0x1.03258c1deeecbp-2 0x1.29f31efad1af9p0 -0x1.bd395d82f013cp2
            0x1.90b2bd26ce778p5 -0x1.871ff469d6a51p8 0x1.7291a851dbdep11 -0x1.373527434c239p14
            0x1.b175a6b826b1cp16 -0x1.dae3e9024bfcdp18 0x1.8442092a16a8fp20 -0x1.ba0e2f1e42315p21
            0x1.3739a4578b3dfp22 -0x1.96e885b4c8f4dp21
        """),
    },
}
"""Those that are words of their own."""
