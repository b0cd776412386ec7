"Reads settings.ini, so that name, version and requirements are written down once."
import re
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

here = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']
scripts = [line.strip() for line in cfg['console_scripts'].splitlines() if line.strip()]
readme = here/'README.md'
about = readme.read_text(encoding='utf-8') if readme.exists() else cfg['description']
# The package index shows the README away from its repository: pictures and chapters need whole addresses there.
about = re.sub(r'(!?\[[^\]]*\]\()nbs/', lambda m: f"{m[1]}{cfg['git_url']}/{'raw' if m[1][0]=='!' else 'blob'}/{cfg['branch']}/nbs/", about)

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    long_description=about,
    long_description_content_type='text/markdown',
    author=cfg['author'], author_email=cfg['author_email'], url=cfg['git_url'], license='Apache-2.0',
    keywords=cfg['keywords'].split(), python_requires=f">={cfg['min_python']}",
    classifiers=['Development Status :: 3 - Alpha', 'Intended Audience :: Developers', 'Intended Audience :: Education',
                 'Intended Audience :: Science/Research', 'Topic :: Multimedia :: Graphics',
                 'Topic :: Scientific/Engineering :: Artificial Intelligence', 'Operating System :: OS Independent']
                + [f'Programming Language :: Python :: 3.{minor}' for minor in range(10, 14)],
    packages=find_packages(include=[cfg['lib_name'], cfg['lib_name']+'.*']), include_package_data=True,
    package_data={cfg['lib_name']: ['assets/*', 'assets/*/*']}, zip_safe=False,
    install_requires=cfg['requirements'].split(), extras_require={'dev': cfg['dev_requirements'].split()},
    entry_points={'console_scripts': scripts, 'nbdev': [f"{cfg['lib_name']}={cfg['lib_path']}._modidx:d"]},
)
