from setuptools import setup

setup(
    name="pieces",
    version="2.5",
    packages=["pieces"],
    package_data={"pieces": ["*.txt"]},
    install_requires=["six==1.17.0"],
)
